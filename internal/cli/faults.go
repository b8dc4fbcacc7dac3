package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/declaredfile"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// maxFaults is how many files a folder of faults may have.
const maxFaults = 200

// faults are the faults of the catalogue and those of --faults or UNJAM_FAULTS, by code. A bad file is the user's mistake: nothing runs
// with half of what was asked for.
func (e *env) faults() ([]*fault.Fault, error) {
	all := faults.All()
	dir := e.faultsDir
	if dir == "" {
		dir = os.Getenv("UNJAM_FAULTS")
	}
	if dir == "" {
		return all, nil
	}
	own, err := readFaults(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range own {
		all = append(all, f.Fault)
	}
	slices.SortFunc(all, func(a, b *fault.Fault) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return all, nil
}

// ownFault is a fault of a user's folder.
type ownFault struct {
	*fault.Fault
	file string // its path
}

// readFaults reads every *.yaml and *.yml of a folder, by name; folders in it are not looked into. A code of the catalogue, or one that
// two files have, is refused: a verdict must say one thing.
func readFaults(dir string) ([]ownFault, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, usagef("read --faults %s: %v", dir, cause(err))
	}
	taken := map[fault.Code]string{}
	for _, f := range faults.All() {
		taken[f.Code] = "unjam itself"
	}
	var all []ownFault
	for _, x := range entries {
		if ext := filepath.Ext(x.Name()); x.IsDir() || (ext != ".yaml" && ext != ".yml") {
			continue
		}
		path := filepath.Join(dir, x.Name())
		f, err := readFault(path)
		if err != nil {
			return nil, err
		}
		if by := taken[f.Code]; by != "" {
			return nil, usagef("read --faults: %s: the code %s is taken by %s: give it another one, with a word of your own in front", path, f.Code, by)
		}
		taken[f.Code] = path
		if all = append(all, ownFault{f, path}); len(all) > maxFaults {
			return nil, usagef("read --faults %s: there are more than %d files", dir, maxFaults)
		}
	}
	if len(all) == 0 {
		return nil, usagef("read --faults %s: there is no *.yaml in it", dir)
	}
	return all, nil
}

func readFault(path string) (*fault.Fault, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, usagef("read --faults %s: %v", path, cause(err))
	}
	if !info.Mode().IsRegular() || info.Size() > declaredfile.MaxSize {
		return nil, usagef("read --faults %s: want a file of at most 64 KB", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("read --faults %s: %v", path, cause(err))
	}
	f, err := declaredfile.Parse(path, text)
	if err != nil {
		return nil, usagef("read --faults: %w", err)
	}
	return f, nil
}

// cause is an error without the path that our own message has already.
func cause(err error) error {
	if in := errors.Unwrap(err); in != nil {
		return in
	}
	return err
}

// tellReads says on stderr what the faults of the user's folder read with: the policy has it, since they read what the catalogue reads.
func (e *env) tellReads() error {
	all, err := e.faults()
	if err != nil {
		return err
	}
	builtIn := faults.All()
	for _, f := range all {
		if slices.ContainsFunc(builtIn, func(x *fault.Fault) bool { return x.Code == f.Code }) {
			continue
		}
		e.say("%s", fmt.Sprintf("note: %s reads with %s: all of it is in the policy", f.Code, strings.Join(actionsOf(f), ", ")))
	}
	return nil
}

// actionsOf are the IAM actions that a fault reads with, sorted.
func actionsOf(f *fault.Fault) []string {
	var all []string
	for _, k := range f.Reads {
		for _, o := range op.Answering(k) {
			if o.Flag == "" {
				all = append(all, o.Actions...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
