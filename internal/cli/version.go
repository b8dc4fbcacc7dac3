package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/report"
)

// release is the version under development; CHANGELOG.md says what is in it.
const release = "0.1.0"

// Version is the program's version, with the commit where the build knows it.
func Version() string {
	i, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range i.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return release + "+" + s.Value[:12]
		}
	}
	return release
}

func newVersion(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs, Example: "  unjam version",
		RunE: func(*cobra.Command, []string) error {
			return e.data(func(w io.Writer) error {
				if e.json() {
					return report.JSON(w, map[string]string{"schema": "unjam/version/v1", "version": Version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
				}
				_, err := fmt.Fprintf(w, "unjam %s %s %s/%s\n", Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return err
			})
		},
	}
}
