package fact

import (
	"maps"
	"slices"
)

// Secret is a keyed hash of a value that must not be kept. Equal values of one session compare equal; nothing can be read back, and it
// marshals as "(secret)" always, so that it never leaves the process.
type Secret string

// MarshalText gives "(secret)".
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

const hidden = "(secret)"

// Value is one value of a document: its text, or a Secret. Whole is set of a text that was cut, the hash of all of it, so that texts which
// differ behind the cut stay different; it is not written.
type Value struct {
	Text          string
	Secret, Whole Secret
}

// String is the text, or "(secret)".
func (v Value) String() string {
	if v.Secret != "" {
		return hidden
	}
	return v.Text
}

// MarshalText gives String.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Values is a JSON document, flattened: path to value. Objects in lists are named by their member "name" where they have one, else by
// their place: "stages/Source/actions/Git/configuration/BranchName".
type Values map[string]Value

// Paths are the paths in order.
func (v Values) Paths() []string { return slices.Sorted(maps.Keys(v)) }

// Text is the text at a path; "" where there is none or a secret.
func (v Values) Text(path string) string { return v[path].Text }

// Difference is one path at which two documents differ; a side that lacks it is the zero Value.
type Difference struct {
	Path          string
	Before, After Value
	Added, Gone   bool
}

// Diff are the differences from one document to another, by path.
func Diff(before, after Values) []Difference {
	var all []Difference
	for _, p := range before.Paths() {
		now, still := after[p]
		if !still {
			all = append(all, Difference{Path: p, Before: before[p], Gone: true})
		} else if now != before[p] {
			all = append(all, Difference{Path: p, Before: before[p], After: now})
		}
	}
	for _, p := range after.Paths() {
		if _, was := before[p]; !was {
			all = append(all, Difference{Path: p, After: after[p], Added: true})
		}
	}
	slices.SortStableFunc(all, func(a, b Difference) int {
		switch {
		case a.Path < b.Path:
			return -1
		case a.Path > b.Path:
			return 1
		}
		return 0
	})
	return all
}
