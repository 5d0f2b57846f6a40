// Go: rows of bench/peers, on one thread (GOMAXPROCS=1 comes from the driver). peer.h has the command line.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const echoConnections = 64

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func each(begin time.Duration, operations int) float64 {
	return float64(cpu()-begin) / float64(operations)
}

func batches(count, batch int) int {
	if count < batch {
		return 1
	}
	return count / batch
}

// So many goroutines, until they have ended.
func together(tasks int, fn func()) {
	var all sync.WaitGroup
	all.Add(tasks)
	for i := 0; i < tasks; i++ {
		go func() {
			defer all.Done()
			fn()
		}()
	}
	all.Wait()
}

// Turns

func yields(tasks int) func(count int) float64 {
	return func(count int) float64 {
		var all sync.WaitGroup
		steps := batches(count, tasks)
		all.Add(tasks)
		for i := 0; i < tasks; i++ {
			go func() {
				for i := 0; i <= steps; i++ {
					runtime.Gosched()
				}
				all.Done()
			}()
		}
		runtime.Gosched()
		begin := cpu()
		all.Wait()
		return each(begin, tasks*steps)
	}
}

// Lives

func rounds(batch, count int, round func()) float64 {
	round()
	begin := cpu()
	for i := 0; i < batches(count, batch); i++ {
		round()
	}
	return each(begin, batch*batches(count, batch))
}

func lives(batch int) func(count int) float64 {
	return func(count int) float64 {
		return rounds(batch, count, func() { together(batch, func() {}) })
	}
}

func gates(count int) float64 {
	return rounds(1000, count, func() {
		var all sync.WaitGroup
		gate := make(chan struct{})
		all.Add(1000)
		for i := 0; i < 1000; i++ {
			go func() {
				<-gate
				all.Done()
			}()
		}
		runtime.Gosched()
		close(gate)
		all.Wait()
	})
}

// Handing over

func trips(count int) float64 {
	there, back := make(chan int), make(chan int)
	go func() {
		for item := range there {
			back <- item
		}
	}()
	begin := cpu()
	for i := 0; i < count; i++ {
		there <- i
		<-back
	}
	close(there)
	return each(begin, count)
}

func passes(count int) float64 {
	queue := make(chan int, 128)
	go func() {
		for i := 0; i < count; i++ {
			queue <- i
		}
		close(queue)
	}()
	begin := cpu()
	for range queue {
	}
	return each(begin, count)
}

func selects(count int) float64 {
	queues := [2]chan int{make(chan int), make(chan int)}
	go func() {
		for i := 0; i < count; i++ {
			queues[i%2] <- i
		}
	}()
	begin := cpu()
	for i := 0; i < count; i++ {
		select {
		case <-queues[0]:
		case <-queues[1]:
		}
	}
	return each(begin, count)
}

func mutexes(tasks int) func(count int) float64 {
	return func(count int) float64 {
		var mutex sync.Mutex
		rounds := batches(count, tasks)
		begin := cpu()
		together(tasks, func() {
			for i := 0; i < rounds; i++ {
				mutex.Lock()
				runtime.Gosched()
				mutex.Unlock()
			}
		})
		return each(begin, tasks*rounds)
	}
}

// Time

func sleeps(count int) float64 {
	times := batches(count, 10000)
	gate := make(chan struct{})
	var begin time.Duration
	go func() {
		begin = cpu()
		close(gate)
	}()
	together(10000, func() {
		<-gate
		for i := 0; i < times; i++ {
			time.Sleep(time.Duration(1+rand.Intn(100)) * time.Millisecond)
		}
	})
	return each(begin, 10000*times)
}

// A sleep that can be cancelled is a timer and a context in a select.
func cancels(count int) float64 {
	var spent time.Duration
	rounds := batches(count, 10000)
	for round := 0; round < rounds; round++ {
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		all.Add(10000)
		for i := 0; i < 10000; i++ {
			go func() {
				defer all.Done()
				timer := time.NewTimer(time.Minute + time.Duration(rand.Intn(60000))*time.Millisecond)
				defer timer.Stop()
				select {
				case <-timer.C:
					log.Fatal("a sleep came to its end")
				case <-ctx.Done():
				}
			}()
		}
		runtime.Gosched()
		begin := cpu()
		cancel()
		all.Wait()
		spent += cpu() - begin
	}
	return float64(spent) / float64(10000*rounds)
}

func deadlines(count int) float64 {
	begin := cpu()
	for i := 0; i < count; i++ {
		_, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		cancel()
	}
	return each(begin, count)
}

// Memory

func resident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		log.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(text))[1])
	return float64(pages * os.Getpagesize())
}

func memory(int) float64 {
	gate := make(chan struct{})
	before := resident()
	for i := 0; i < 10000; i++ {
		go func() { <-gate }()
	}
	runtime.Gosched()
	return (resident() - before) / 10000
}

// Echo

func serve(connection net.Conn, done *sync.WaitGroup) {
	defer done.Done()
	defer connection.Close()
	buffer := make([]byte, 32768)
	for {
		count, err := connection.Read(buffer)
		if err == io.EOF {
			return
		}
		if err == nil {
			_, err = connection.Write(buffer[:count])
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}

func echo(count int) float64 {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	begin := cpu()
	if os.Getenv("PEER_LOAD") == "" {
		log.Fatal("PEER_LOAD does not name the load (build/release/bench/peer_load)")
	}
	port := listener.Addr().(*net.TCPAddr).Port
	load := exec.Command(os.Getenv("PEER_LOAD"), strconv.Itoa(port), strconv.Itoa(count))
	load.Stderr = os.Stderr
	if err := load.Start(); err != nil {
		log.Fatal(err)
	}
	var done sync.WaitGroup
	done.Add(echoConnections)
	for i := 0; i < echoConnections; i++ {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(connection, &done)
	}
	done.Wait()
	ns := each(begin, count)
	if err := load.Wait(); err != nil {
		log.Fatal(err)
	}
	return ns
}

var rows = []struct {
	name string
	run  func(count int) float64
}{
	{"yield_2", yields(2)},
	{"yield_100", yields(100)},
	{"yield_10000", yields(10000)},
	{"spawn_join_1000", lives(1000)},
	{"spawn_gate_1000", gates},
	{"spawn_join_10000", lives(10000)},
	{"channel_rtt", trips},
	{"queue_128", passes},
	{"mutex_contended_2", mutexes(2)},
	{"mutex_contended_100", mutexes(100)},
	{"select_2", selects},
	{"sleep_10000", sleeps},
	{"cancel_10000", cancels},
	{"deadline_scope", deadlines},
	{"bytes_per_task_10000", memory},
	{"echo_64_c64", echo},
}

func main() {
	for _, row := range rows {
		if len(os.Args) < 2 {
			fmt.Println(row.name)
		} else if len(os.Args) == 3 && row.name == os.Args[1] {
			count, _ := strconv.Atoi(os.Args[2])
			fmt.Printf("%.6g\n", row.run(count))
			return
		}
	}
	if len(os.Args) >= 2 {
		fmt.Fprintln(os.Stderr, "usage: peer [ROW COUNT]; without arguments: the rows")
		os.Exit(2)
	}
}
