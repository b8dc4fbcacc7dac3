package cloud

import (
	"sort"
	"time"
)

// Account is one AWS account.
type Account struct {
	ID      string // 12 digits
	Alias   string
	Tags    map[string]string // in AWS Organizations
	Regions map[string]string // Region name to ENABLED, ENABLED_BY_DEFAULT or DISABLED; nil: DefaultRegions
}

// Status returns the status of every Region the account knows. A nil account has the default ones.
func (a *Account) Status() map[string]string {
	if a == nil || a.Regions == nil {
		return DefaultRegions()
	}
	return a.Regions
}

// Enabled reports whether the account may use a Region.
func (a *Account) Enabled(region string) bool {
	s := a.Status()[region]
	return s == "ENABLED" || s == "ENABLED_BY_DEFAULT"
}

// AddAccount adds an account.
func (c *Cloud) AddAccount(a *Account) { c.accounts[a.ID] = a }

// Account finds an account by ID; nil when the lab has none.
func (c *Cloud) Account(id string) *Account { return c.accounts[id] }

// Accounts lists the accounts by ID.
func (c *Cloud) Accounts() []*Account {
	var all []*Account
	for _, a := range c.accounts {
		all = append(all, a)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all
}

// Principal is who makes a call.
type Principal struct {
	// Type is CloudTrail's userIdentity.type. Root, IAMUser, AssumedRole, FederatedUser and AWSService make calls; AWSAccount,
	// WebIdentityUser, SAMLUser and IdentityCenterUser only stand in events: there Source is who vouches, Session the user's name.
	Type    string
	Account string
	ARN     string // as sts:GetCallerIdentity shows it: arn:aws:sts::111111111111:assumed-role/Admin/ada
	Source  string // the user's or role's own ARN, on which its policies hang: arn:aws:iam::111111111111:role/Admin
	UserID  string // AROA...:ada
	Session string // role session name, "" for users; of a federated user the ID of the user who vouches
	// SessionPolicy narrows an assumed-role session, as JSON text; "" means none.
	SessionPolicy string
}

// Caller is a principal with credentials: one way to sign requests.
type Caller struct {
	Name string // what the world calls it: "oncall"
	Principal
	AccessKeyID, SecretAccessKey, SessionToken string
	Created                                    time.Time
	Expires                                    time.Time // zero: never (long-term keys)
	MFA                                        bool
	Place                                      Place      // where it calls from
	SourceIdentity                             string     // set when the role was assumed; "" for none
	RoleDelivery                               string     // of an instance's role: version of the metadata service, 1.0 or 2.0
	Federation                                 Federation // who vouches for the session; zero for none
}

// Federation is who vouched for a session at an OpenID Connect provider.
type Federation struct {
	Provider string // ARN of the provider in IAM
	Audience string
	Subject  string // of the token: repo:acme/web:ref:refs/heads/main
}

// AddCaller makes a caller known by its access key.
func (c *Cloud) AddCaller(k *Caller) { c.callers[k.AccessKeyID] = k }

// CallerByKey finds a caller by access key ID; nil when there is none.
func (c *Cloud) CallerByKey(id string) *Caller { return c.callers[id] }

// CallerByName finds a caller by the name the world gives it; nil when there is none.
func (c *Cloud) CallerByName(name string) *Caller {
	for _, k := range c.Callers() {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// Callers lists the callers by name.
func (c *Cloud) Callers() []*Caller {
	var all []*Caller
	for _, k := range c.callers {
		all = append(all, k)
	}
	sort.Slice(all, func(i, j int) bool {
		return all[i].Name < all[j].Name || all[i].Name == all[j].Name && all[i].AccessKeyID < all[j].AccessKeyID
	})
	return all
}

// Origin is where a call came from, as CloudTrail shows it.
type Origin struct {
	UserAgent string
	SourceIP  string
	InvokedBy string // service principal when a service calls on somebody's behalf
	Place     Place  // of the caller
	Stack     string // ARN of the CloudFormation stack on whose behalf the call is made; "" when none is
	Endpoint  string // ID of the VPC endpoint that the call took; "" for the internet
}
