// Command unjam-fault begins a new fault: its folder with a skeleton, its test and three worlds, and its lines in faults/all.go. It
// writes nothing over what is there, and never calls AWS.
//
//	go run ./cmd/unjam-fault new CODE     from the root of the repository
package main

import (
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], ".", os.Stdout, os.Stderr)) }

// run does what the arguments say in the repository at root and returns the exit code: 0, 1 when something could not be written, 2 for
// wrong usage.
func run(args []string, root string, out, errs io.Writer) int {
	if len(args) != 2 || args[0] != "new" {
		fmt.Fprintln(errs, "usage: go run ./cmd/unjam-fault new CODE      (from the root of the repository; CODE as in source-stale)")
		return 2
	}
	files, err := scaffold(os.DirFS(root), args[1])
	if err != nil {
		fmt.Fprintf(errs, "unjam-fault: %v\n", err)
		return 2
	}
	if err := write(root, files); err != nil {
		fmt.Fprintf(errs, "unjam-fault: %v\n", err)
		return 1
	}
	for _, f := range files {
		fmt.Fprintln(out, f.path)
	}
	fmt.Fprintf(out, "Next: go test ./faults/%s      (red, until the fault finds what its world found-first shows)\n", packageOf(args[1]))
	return 0
}
