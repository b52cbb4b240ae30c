// Plays a fixed load on Go's database/sql with lib/pq, and says what became of it (see ../rust/src/main.rs).
//
// With the compiler and the driver of the distribution, no module is fetched:
// GO111MODULE=off GOPATH=/usr/share/gocode go build -o load load.go
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	_ "github.com/lib/pq"
)

type job struct {
	Host        string       `json:"host"`
	Max         int          `json:"max"`
	MaxIdle     int          `json:"max_idle"`
	MaxLifetime *float64     `json:"max_lifetime"`
	IdleTimeout *float64     `json:"idle_timeout"`
	Requests    [][2]float64 `json:"requests"`
	Until       float64      `json:"until"`
}

var said sync.Mutex

func say(event string, what string) {
	said.Lock()
	defer said.Unlock()
	fmt.Printf("{\"event\":%q%s,\"at\":%.4f}\n", event, what, float64(time.Now().UnixNano())/1e9)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func request(db *sql.DB, number int, at time.Time, hold time.Duration) {
	time.Sleep(time.Until(at))
	say("asked", fmt.Sprintf(",\"request\":%d", number))
	conn, err := db.Conn(context.Background())
	must(err)
	var pid int
	must(conn.QueryRowContext(context.Background(), "select pg_backend_pid()").Scan(&pid))
	say("got", fmt.Sprintf(",\"request\":%d,\"pid\":%d", number, pid))
	time.Sleep(hold)
	say("released", fmt.Sprintf(",\"request\":%d", number))
	must(conn.Close())
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Scan()
	var job job
	must(json.Unmarshal(lines.Bytes(), &job))
	say("ready", "")
	lines.Scan()
	begin := time.Now()
	say("began", "")
	db, err := sql.Open("postgres", "host="+job.Host+
		" user=postgres dbname=postgres sslmode=disable application_name=database-sql")
	must(err)
	db.SetMaxOpenConns(job.Max)
	db.SetMaxIdleConns(job.MaxIdle)
	if job.MaxLifetime != nil {
		db.SetConnMaxLifetime(seconds(*job.MaxLifetime))
	}
	if job.IdleTimeout != nil {
		db.SetConnMaxIdleTime(seconds(*job.IdleTimeout))
	}
	for number, asks := range job.Requests {
		go request(db, number, begin.Add(seconds(asks[0])), seconds(asks[1]))
	}
	time.Sleep(time.Until(begin.Add(seconds(job.Until))))
	os.Exit(0)
}
