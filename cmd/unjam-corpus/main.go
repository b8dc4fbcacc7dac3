// Command unjam-corpus plays the labelled incidents under corpus/ and prints how well the diagnosis does: accuracy at 1, precision and
// recall per fault, false claims, calls and time, with every source of evidence missing in turn. It never calls AWS.
//
//	go run ./cmd/unjam-corpus            the table
//	go run ./cmd/unjam-corpus -misses    and every answer that is not right
//	go run ./cmd/unjam-corpus -quick     with nothing missing only
//	go run ./cmd/unjam-corpus -only NAME incidents whose name contains NAME
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/testkit/corpus"
)

func main() {
	dir := flag.String("dir", "corpus", "folder of the incidents")
	only := flag.String("only", "", "only incidents whose name contains this")
	quick := flag.Bool("quick", false, "leave out the runs with a source of evidence missing")
	misses := flag.Bool("misses", false, "list every answer that is not right")
	testing.Init() // incidents are played on the fake time of a test
	flag.Parse()
	incidents, err := corpus.Load(*dir)
	if err == nil && len(incidents) == 0 {
		err = fmt.Errorf("list incidents: there are none in %s", *dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	play := func(t *testing.T) {
		var all []corpus.Played
		herrings := 0
		for _, in := range incidents {
			if !strings.Contains(in.Name, *only) {
				continue
			}
			if in.Herring {
				herrings++
			}
			all = append(all, corpus.Play(t, in, corpus.Source{}))
			if *quick {
				continue
			}
			for _, s := range corpus.Sources() {
				all = append(all, corpus.Play(t, in, s))
			}
		}
		corpus.Table(os.Stdout, all, herrings)
		if *misses {
			fmt.Println()
			corpus.Misses(os.Stdout, all)
		}
	}
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "corpus", F: play}}, nil, nil)
}
