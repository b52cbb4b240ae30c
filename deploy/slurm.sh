#!/usr/bin/env bash
# A sweep as an array of Slurm: one shard a task; the scenario brings its axes, in [sweep.axes] (a comment at the end of the fleet template). Then, once: herdsim merge parts/shard-* -o runs/fleet-sweep
#SBATCH --job-name=herdsim-sweep
#SBATCH --array=1-12
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --requeue
set -euo pipefail
# SLURM_ARRAY_TASK_ID, _MIN and _COUNT say which shard this is; a task that was requeued goes on where it stopped.
herdsim sweep fleet.toml --seeds 10 --shard auto --resume -j 4 -o parts
