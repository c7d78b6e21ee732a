// The least runtime client in Go: asks the Runtime API for work.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	reply, err := http.Get("http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/next")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	reply.Body.Close()
}
