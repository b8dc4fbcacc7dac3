package connections

import (
	"slices"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

// Connection is a connection as AWS keeps it. The API shows neither times nor the installation behind it.
type Connection struct {
	ARN, Name, ProviderType string
	Owner                   string // account ID
	Region                  string // of the ARN: where it can be deleted and tagged
	Status                  string
	HostARN                 string // "" without a host
	Installation            string // provider installation it is bound to; "" while PENDING
	Created, Completed      time.Time
	Tags                    []Tag
}

// Connections lists the connections that exist, in order of creation, whatever the readers see so far.
func (s *Service) Connections() []Connection {
	var all []Connection
	for _, l := range s.conns {
		if c, ok := l.Truth(); ok {
			all = append(all, c)
		}
	}
	return all
}

// Lookup finds a connection by ARN, whatever the readers see so far.
func (s *Service) Lookup(arn string) (Connection, bool) {
	_, c, ok := s.truth(arn)
	return c, ok
}

// Named finds a connection of an account by name, whatever the readers see so far.
func (s *Service) Named(account, name string) (Connection, bool) {
	for _, c := range s.Connections() {
		if c.Owner == account && c.Name == name {
			return c, true
		}
	}
	return Connection{}, false
}

func (s *Service) truth(arn string) (*cloud.Lagged[Connection], Connection, bool) {
	for _, l := range s.conns {
		if c, ok := l.Truth(); ok && c.ARN == arn {
			return l, c, true
		}
	}
	return nil, Connection{}, false
}

// reaches reports whether a connection works in a Region: everywhere, unless it was created in an opt-in Region.
// https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html
func (k Connection) reaches(region string) bool {
	return k.Region == region || cloud.DefaultRegions()[k.Region] != "DISABLED"
}

// shows reports whether this API's model can express the connection. The older model has no AzureDevOps and no host
// ARN of the newer prefix; the older API does not show such connections at all.
func (a *api) shows(k Connection) bool {
	return a.name == New20231201 || k.ProviderType != provider.AzureDevOps && parseARN(k.HostARN).service != New20231201
}

func (a *api) connectionOps(all map[string]*cloud.Op) {
	all["CreateConnection"] = a.op(false, a.checkCreateConnection, a.accessCreateConnection, a.createConnection)
	named := func(r *cloud.Request, p *problems) { a.arn(p, r, "ConnectionArn", "connectionArn", 256) }
	all["GetConnection"] = a.op(true, named, a.onResource("ConnectionArn", "GetConnection"), a.getConnection)
	all["DeleteConnection"] = a.op(false, named, a.onResource("ConnectionArn", "DeleteConnection"), a.deleteConnection)
	all["ListConnections"] = a.op(true, func(r *cloud.Request, p *problems) {
		p.str(r.In, "ProviderTypeFilter", "providerTypeFilter", rule{enum: a.providers()})
		p.str(r.In, "HostArnFilter", "hostArnFilter", rule{max: 256, pattern: a.hostRE[a.name]})
		p.page(r)
	}, a.accessListConnections, a.listConnections)
}

func (a *api) checkCreateConnection(r *cloud.Request, p *problems) {
	p.str(r.In, "ConnectionName", "connectionName", rule{required: true, min: 1, max: 32})
	p.str(r.In, "ProviderType", "providerType", rule{enum: a.providers()})
	p.str(r.In, "HostArn", "hostArn", rule{max: 256, pattern: a.hostRE[a.name]})
	p.tags(r, false)
}

func (a *api) accessCreateConnection(r *cloud.Request) cloud.Access {
	ctx := requestTags(r)
	providerType := r.Str("ProviderType")
	if h, ok := a.Host(r.Str("HostArn")); ok {
		providerType = h.ProviderType
	}
	if providerType != "" {
		ctx[a.name+":ProviderType"] = []string{providerType}
	}
	return cloud.Access{Action: a.name + ":CreateConnection", Resource: "*", Context: ctx}
}

func (a *api) createConnection(r *cloud.Request) (map[string]any, error) {
	k := Connection{
		Name: r.Str("ConnectionName"), ProviderType: r.Str("ProviderType"), HostARN: r.Str("HostArn"),
		Owner: r.Account(), Region: r.Region, Status: Pending, Created: a.c.Now(),
	}
	if err := a.settleProvider(r, &k); err != nil {
		return nil, err
	}
	own := 0
	for _, other := range a.Connections() {
		if other.Owner != k.Owner {
			continue
		}
		own++
		if other.Name == k.Name {
			return nil, cloud.Errorf(cloud.ValidationError, "A connection with the name %s already exists in account %s.", k.Name, k.Owner)
		}
	}
	if most := a.c.Limit(k.Owner, r.Region, "connections", maxConnections); own >= most {
		return nil, cloud.Errorf(limit, "The maximum number of connections (%d) for account %s has been reached.", most, k.Owner)
	}
	tags, err := mergeTags(r, nil)
	if err != nil {
		return nil, err
	}
	k.Tags = tags
	k.ARN = makeARN(a.name, r.Region, k.Owner, "connection/"+a.c.UUID())
	l := &cloud.Lagged[Connection]{}
	l.Set(a.c, k)
	a.conns = append(a.conns, l)
	out := map[string]any{"ConnectionArn": k.ARN}
	if len(tags) > 0 {
		out["Tags"] = tagList(tags)
	}
	return out, nil
}

// settleProvider completes the provider type: given, or the host's. A host must stand in the same Region and be past
// its VPC set-up; it may still be PENDING.
func (a *api) settleProvider(r *cloud.Request, k *Connection) error {
	if k.HostARN == "" {
		switch k.ProviderType {
		case "":
			return cloud.Errorf(cloud.ValidationError, "Either a provider type or a host ARN must be specified.")
		case provider.GitHubEnterpriseServer, provider.GitLabSelfManaged:
			return cloud.Errorf(cloud.ValidationError, "A host ARN must be specified for provider type %s.", k.ProviderType)
		}
		return nil
	}
	if k.ProviderType != "" {
		return cloud.Errorf(cloud.ValidationError, "A provider type and a host ARN cannot be specified together.")
	}
	h, ok := a.Host(k.HostARN)
	if !ok || h.Owner != r.Account() || h.Region != r.Region {
		return cloud.Errorf(notFound, "Host %s not found.", k.HostARN)
	}
	if h.Status != Pending && h.Status != Available {
		return cloud.Errorf(unavailable, "Host %s is not available: its status is %s.", h.ARN, h.Status)
	}
	k.ProviderType = h.ProviderType
	return nil
}

func (a *api) getConnection(r *cloud.Request) (map[string]any, error) {
	k, err := a.seen(r, r.Str("ConnectionArn"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"Connection": connectionMap(k)}, nil
}

// seen finds a connection as the caller reads it: of its own account, or shared with it. About other accounts'
// connections nothing is told, not even whether they exist.
func (a *api) seen(r *cloud.Request, arn string) (Connection, error) {
	if !slices.Contains(a.shares[arn], r.Account()) {
		if err := a.foreign(r, arn); err != nil {
			return Connection{}, err
		}
	}
	for _, l := range a.conns {
		if k, ok := a.shown(l, r); ok && k.ARN == arn && k.reaches(r.Region) && a.shows(k) {
			return k, nil
		}
	}
	return Connection{}, noConnection(arn)
}

// shown is a connection as the Region asked shows it: the connection's own first, the others when the change has reached them.
func (a *api) shown(l *cloud.Lagged[Connection], r *cloud.Request) (Connection, bool) {
	if k, _ := l.Truth(); k.Region == r.Region {
		return l.Seen(a.c)
	}
	return l.Abroad(a.c)
}

// foreign refuses an ARN of another account.
func (a *api) foreign(r *cloud.Request, arn string) error {
	if parseARN(arn).account == r.Account() {
		return nil
	}
	action := a.prefixOf(arn) + ":" + r.Operation
	return cloud.Denied(r.Caller, cloud.Access{Action: action, Resource: arn},
		cloud.Decision{Why: "because no resource-based policy allows the " + action + " action"})
}

// owned finds a connection for a change: the caller's own, called in the Region that controls it.
func (a *api) owned(r *cloud.Request, arn string) (*cloud.Lagged[Connection], Connection, error) {
	if err := a.foreign(r, arn); err != nil {
		return nil, Connection{}, err
	}
	l, k, ok := a.truth(arn)
	if !ok || k.Region != r.Region || !a.shows(k) {
		return nil, Connection{}, noConnection(arn)
	}
	return l, k, nil
}

func noConnection(arn string) error { return cloud.Errorf(notFound, "Connection %s not found.", arn) }

func (a *api) deleteConnection(r *cloud.Request) (map[string]any, error) {
	arn := r.Str("ConnectionArn")
	l, _, err := a.owned(r, arn)
	if err != nil {
		return nil, err
	}
	l.Delete(a.c)
	return map[string]any{}, nil
}

func (a *api) accessListConnections(r *cloud.Request) cloud.Access {
	ctx := map[string][]string{}
	if f := r.Str("ProviderTypeFilter"); f != "" {
		ctx[a.name+":ProviderTypeFilter"] = []string{f}
	}
	return cloud.Access{Action: a.name + ":ListConnections", Resource: "*", Context: ctx}
}

// listConnections lists the account's own connections; shared ones are not among them.
func (a *api) listConnections(r *cloud.Request) (map[string]any, error) {
	providerType, host := r.Str("ProviderTypeFilter"), r.Str("HostArnFilter")
	var all []Connection
	for _, l := range a.conns {
		k, ok := a.shown(l, r)
		if ok && k.Owner == r.Account() && k.reaches(r.Region) && a.shows(k) &&
			(providerType == "" || k.ProviderType == providerType) && (host == "" || k.HostARN == host) {
			all = append(all, k)
		}
	}
	page, next, err := cloud.Page(a.c, all, r.Str("NextToken"), r.Int("MaxResults", 0), maxPage, cloud.ValidationError)
	if err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for _, k := range page {
		list = append(list, connectionMap(k))
	}
	return withToken(map[string]any{"Connections": list}, next), nil
}

func withToken(out map[string]any, next string) map[string]any {
	if next != "" {
		out["NextToken"] = next
	}
	return out
}

func connectionMap(k Connection) map[string]any {
	m := map[string]any{
		"ConnectionName": k.Name, "ConnectionArn": k.ARN, "ProviderType": k.ProviderType,
		"OwnerAccountId": k.Owner, "ConnectionStatus": k.Status,
	}
	if k.HostARN != "" {
		m["HostArn"] = k.HostARN
	}
	return m
}
