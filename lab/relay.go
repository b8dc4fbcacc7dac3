package lab

import (
	"strings"

	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

// installations are the provider's apps as CodePipeline sees them through connections.
type installations struct {
	conns *connections.Service
	git   *provider.Directory
}

// Reinstalled reports whether the installation that a connection is bound to is gone and another one of the provider's app
// sees the repository.
func (i installations) Reinstalled(connectionARN, providerType, fullRepositoryID string) bool {
	k, ok := i.conns.Lookup(connectionARN)
	if !ok || k.Status != connections.Available || k.ProviderType != providerType {
		return false
	}
	if _, alive := i.git.Installation(k.Installation); alive {
		return false
	}
	name, _, _ := strings.Cut(fullRepositoryID, "/")
	org, ok := i.git.Org(providerType, name)
	return ok && org.App != nil && i.git.Sees(org.App.ID, fullRepositoryID)
}
