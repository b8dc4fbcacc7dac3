package oauthsourcerefused_test

import (
	"testing"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/oauthsourcerefused"
	"github.com/unjam/unjam/internal/testkit"
)

func TestFault(t *testing.T) { testkit.Fault(t, oauthsourcerefused.Fault(), faults.All()) }
