// Command unjam finds why AWS CodePipelines are stuck, proves it, plans the fix and applies it when told to.
// It holds no logic: everything is in internal/cli.
package main

import (
	"os"

	"github.com/unjam/unjam/internal/cli"
)

func main() { os.Exit(cli.Main()) }
