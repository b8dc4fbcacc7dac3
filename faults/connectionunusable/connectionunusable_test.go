package connectionunusable_test

import (
	"testing"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/connectionunusable"
	"github.com/unjam/unjam/internal/testkit"
)

func TestFault(t *testing.T) { testkit.Fault(t, connectionunusable.Fault(), faults.All()) }
