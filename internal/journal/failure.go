package journal

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// What can be wrong with a journal.
var (
	ErrNoRun    = errors.New("no such run")
	ErrHeld     = errors.New("another process is working on this run")
	ErrBusy     = errors.New("the journal is locked by another program; close it and try again")
	ErrDamaged  = errors.New("the journal is damaged; move it away (its runs can then no longer be resumed) and look at AWS before starting again")
	ErrReadOnly = errors.New("the journal cannot be written; check the permissions of the home folder, or choose another with --home")
	ErrFull     = errors.New("the disk is full; make room, then resume")
	ErrDisk     = errors.New("the disk refuses the journal; make room or choose another place with --home, then resume")
)

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html).
const (
	codePerm     = 3
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeIOErr    = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

// classify puts one of the errors above in front of what SQLite says.
func classify(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	word := error(nil)
	switch e.Code() & 0xff {
	case codeBusy, codeLocked:
		word = ErrBusy
	case codeReadOnly, codePerm, codeCantOpen:
		word = ErrReadOnly
	case codeCorrupt, codeNotADB:
		word = ErrDamaged
	case codeFull:
		word = ErrFull
	case codeIOErr:
		word = ErrDisk
	default:
		return err
	}
	return fmt.Errorf("%w: %w", word, err)
}
