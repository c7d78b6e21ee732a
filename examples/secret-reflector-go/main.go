// A Lambda function that answers with the variables that it is asked for: {"names": [...]}.
//
// It is for trying things out: whoever may invoke it can read the secrets. It speaks Lambda's Runtime API
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) with the standard library alone. A function of your
// own would rather use github.com/aws/aws-lambda-go.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

type event struct {
	Names []string `json:"names"`
}

type answer struct {
	Environment map[string]*string `json:"environment"`
}

type failure struct {
	ErrorMessage string `json:"errorMessage"`
	ErrorType    string `json:"errorType"`
}

// handle gives the value of each name, null for one that is not set.
func handle(asked event) answer {
	environment := make(map[string]*string, len(asked.Names))
	for _, name := range asked.Names {
		environment[name] = nil
		if value, set := os.LookupEnv(name); set {
			environment[name] = &value
		}
	}
	return answer{environment}
}

func main() {
	log.SetFlags(0)
	address := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	if address == "" {
		log.Fatal("AWS_LAMBDA_RUNTIME_API is not set: this is neither Lambda nor its emulator")
	}
	runtime := "http://" + address + "/2018-06-01/runtime/invocation/"
	for {
		if err := serve(runtime); err != nil {
			log.Fatal(err)
		}
	}
}

// serve waits for one event and answers it.
func serve(runtime string) error {
	next, err := http.Get(runtime + "next") // answered when there is an event, however long that takes
	if err != nil {
		return err
	}
	body, err := io.ReadAll(next.Body)
	next.Body.Close()
	if err != nil {
		return err
	}
	if next.StatusCode != http.StatusOK {
		return fmt.Errorf("the Runtime API answered %s", next.Status)
	}
	invocation := runtime + next.Header.Get("Lambda-Runtime-Aws-Request-Id")

	var asked event
	if err := json.Unmarshal(body, &asked); err != nil {
		return post(invocation+"/error", failure{"the event is not of the form {\"names\": [...]}", "Function.InvalidEvent"})
	}
	return post(invocation+"/response", handle(asked))
}

func post(url string, content any) error {
	body, err := json.Marshal(content)
	if err != nil {
		return err
	}
	reply, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the Runtime API answered %s", reply.Status)
	}
	return nil
}
