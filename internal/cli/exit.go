package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/journal"
)

// The exit codes. Scripts rely on them.
const (
	exitOK       = 0 // done as asked; nothing of severity low or above is wrong
	exitFailed   = 1 // it could not be done
	exitUsage    = 2 // unknown flag, malformed target or file
	exitFindings = 3 // something is wrong
	exitBlind    = 4 // nothing found, but not everything that matters could be seen
	exitRefused  = 5 // refused by a safety gate
	exitStopped  = 6 // stopped or waiting for a person; the run can be resumed
)

// exitHelp explains the exit codes in the help of every command.
const exitHelp = `Exit codes:
  0 done as asked, nothing is wrong    1 it could not be done
  2 wrong usage                        3 findings: something is wrong
  4 nothing found, but not everything that matters could be seen
  5 refused by a safety gate           6 stopped or waiting: can be resumed
`

// usageError is the user's mistake on the command line or in a file.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// codeError ends the program with a code; its text, if any, is shown.
type codeError struct {
	code int
	err  error  // nil: everything was said already
	next string // command to type next
}

func (c codeError) Error() string {
	if c.err == nil {
		return ""
	}
	return c.err.Error()
}

func (c codeError) Unwrap() error { return c.err }

// errorSchema names the form of an error document on stderr.
const errorSchema = "unjam/error/v1"

type errorDoc struct {
	Schema  string `json:"schema"`
	Code    int    `json:"code"`
	Message string `json:"message"`
	Next    string `json:"next,omitempty"`
}

// exit shows an error in one line with the next command to type, and gives the exit code. It is the only place that decides codes. command is what was run, as typed.
func (e *env) exit(ctx context.Context, command string, err error) int {
	if err == nil {
		return exitOK
	}
	code, next := exitFailed, ""
	var coded codeError
	var usage usageError
	var session *awsapi.UsageError
	var wrong *app.MismatchError
	var none *app.NotFoundError
	var keys *awsapi.CredentialsError
	switch {
	case errors.As(err, &coded):
		code, next = coded.code, coded.next
	case errors.As(err, &usage), errors.As(err, &session), strings.HasPrefix(err.Error(), "unknown command"), strings.HasPrefix(err.Error(), "unknown flag"), strings.HasPrefix(err.Error(), "if any flags in the group"):
		code, next = exitUsage, command+" --help"
	case errors.As(err, &wrong):
		next = "unjam whoami"
	case errors.As(err, &keys):
		err = fmt.Errorf("there are no usable AWS credentials: %w", keys.Err)
		next = "aws sso login, aws configure or AWS_PROFILE; then unjam whoami"
	case errors.As(err, &none):
		next = "unjam whoami, or --region with the pipeline's Region"
	case errors.Is(err, journal.ErrNoRun):
		next = "unjam runs"
	case errors.Is(ctx.Err(), context.Canceled):
		code = exitStopped
	}
	message := oneLine(err.Error())
	if message == "" {
		return code
	}
	if e.json() {
		b, merr := json.Marshal(errorDoc{Schema: errorSchema, Code: code, Message: message, Next: next})
		if merr == nil {
			fmt.Fprintln(e.err, string(b))
			return code
		}
	}
	fmt.Fprintln(e.err, e.folded("unjam: "+message))
	if next != "" && !e.quiet {
		fmt.Fprintln(e.err, "Next: "+next)
	}
	return code
}

// oneLine folds an error text into one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
