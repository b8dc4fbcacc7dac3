package approvalwaiting_test

import (
	"testing"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/approvalwaiting"
	"github.com/unjam/unjam/internal/testkit"
)

func TestFault(t *testing.T) { testkit.Fault(t, approvalwaiting.Fault(), faults.All()) }
