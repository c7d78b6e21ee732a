// What people write with aws-sdk-go-v2: fetch each secret in turn, set the variables, become the command.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const (
	first  = "SECRETS_MANAGER_ARN"
	prefix = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
)

func main() {
	if os.Args[1] == "--version" {
		fmt.Printf("%s, aws-sdk-go-v2 %s\n", runtime.Version(), aws.SDKVersion)
		return
	}
	if references := references(); len(references) > 0 {
		check(load(references))
	}
	check(syscall.Exec(os.Args[1], os.Args[1:], os.Environ()))
}

func references() []string {
	names := []string{}
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	found := []string{}
	for _, name := range append([]string{first}, names...) {
		if value := os.Getenv(name); value != "" {
			found = append(found, value)
		}
	}
	return found
}

func load(references []string) error {
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := secretsmanager.NewFromConfig(settings, func(options *secretsmanager.Options) {
		if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" { // which SDKs before November 2023 do not read
			options.EndpointResolver = secretsmanager.EndpointResolverFromURL(url)
		}
	})
	for _, reference := range references {
		reply, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(reference)})
		if err != nil {
			return err
		}
		values := map[string]string{}
		if err := json.Unmarshal([]byte(*reply.SecretString), &values); err != nil {
			return err
		}
		for name, value := range values {
			if err := os.Setenv(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
