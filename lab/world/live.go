package world

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Names lists what the world has named and ARN knows by now, sorted. Call it after loading, between acts.
func (w *World) Names() []string { return slices.Sorted(maps.Keys(w.arns)) }

// Act performs one line of a loaded world now: an act as in the file without its time, `ada completes handshake
// team-github as=olga`. It takes the lab's lock. The error reads as that of a line in a file, without file and number.
func (w *World) Act(text string) error {
	lines, _, err := scan([]byte("now " + strings.TrimSpace(text)))
	switch {
	case err != nil:
		return bare(err)
	case len(lines) != 1:
		return fmt.Errorf("an act is one line")
	}
	d := w.loader
	d.c.Within(func() {
		var a *act
		if a, err = d.parseAct(lines[0]); err == nil {
			err = d.perform(a)
		}
	})
	return bare(err)
}

// bare takes the line number away.
func bare(err error) error {
	var le *lineError
	if errors.As(err, &le) {
		return le.cause
	}
	return err
}
