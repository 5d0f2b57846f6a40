// The HTTP server of Go's standard library, which bench_server compares bight's with: as short as
// its manual has it, on the listening socket that descriptor 3 is. It runs on one core, as all do.
package main

import (
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write([]byte("hello\n"))
	})
	log.Fatal(http.Serve(listener, nil))
}
