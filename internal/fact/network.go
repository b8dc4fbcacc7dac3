package fact

import "time"

// Subnet is a subnet of a VPC.
type Subnet struct {
	Seen
	ID    string `json:"id"`
	VPC   string `json:"vpc"`
	Zone  string `json:"zone"` // Availability Zone ID
	Block string `json:"block"`
	Free  int    `json:"free"` // addresses left
}

// SecurityGroup is a security group with its rules. A group allows what any of its rules allows.
type SecurityGroup struct {
	Seen
	ID   string      `json:"id"`
	VPC  string      `json:"vpc"`
	Name string      `json:"name"`
	In   []GroupRule `json:"in"`
	Out  []GroupRule `json:"out"`
}

// GroupRule allows a protocol and ports with some peers.
type GroupRule struct {
	Protocol string   `json:"protocol"` // tcp, udp, icmp, or -1 for all
	From     int      `json:"from"`     // ports; meaningless for -1
	To       int      `json:"to"`
	Blocks   []string `json:"blocks,omitempty"` // CIDR blocks
	Groups   []string `json:"groups,omitempty"` // groups as peers
	Lists    []string `json:"lists,omitempty"`  // prefix lists as peers
}

// NetworkACL is a network ACL. Its entries are tried in the order of their numbers; the first that fits decides. It keeps no state:
// replies need an entry of their own.
type NetworkACL struct {
	Seen
	ID      string     `json:"id"`
	VPC     string     `json:"vpc"`
	Default bool       `json:"default"`
	Subnets []string   `json:"subnets"`
	Entries []ACLEntry `json:"entries"` // by number
}

// ACLEntry is one numbered rule.
type ACLEntry struct {
	Number   int    `json:"number"`
	Egress   bool   `json:"egress"`
	Allow    bool   `json:"allow"`
	Protocol string `json:"protocol"` // number as text: 6 is TCP, 17 UDP, -1 all
	Block    string `json:"block"`
	From     int    `json:"from"` // ports; 0 and 0: all
	To       int    `json:"to"`
}

// RouteTable is a route table.
type RouteTable struct {
	Seen
	ID      string   `json:"id"`
	VPC     string   `json:"vpc"`
	Main    bool     `json:"main"` // serves the subnets that no table names
	Subnets []string `json:"subnets"`
	Routes  []Route  `json:"routes"`
}

// Route sends what goes to a block to a target.
type Route struct {
	Block  string `json:"block"`  // destination CIDR block or prefix list
	Target string `json:"target"` // local, igw-..., nat-..., tgw-..., pcx-..., vgw-..., eni-...
	State  string `json:"state"`  // active or blackhole
}

// DHCPOptions are what a VPC tells its hosts about DNS.
type DHCPOptions struct {
	Seen
	ID      string   `json:"id"`
	Servers []string `json:"servers"` // domain-name-servers
}

// Endpoint is a VPC endpoint.
type Endpoint struct {
	Seen
	ID         string   `json:"id"`
	VPC        string   `json:"vpc"`
	Service    string   `json:"service"` // com.amazonaws.REGION.codestar-connections.api
	Type       string   `json:"type"`    // Interface, Gateway
	State      string   `json:"state"`   // available, pending ...
	PrivateDNS bool     `json:"privateDns"`
	Policy     string   `json:"policy,omitempty"` // its policy document
	Groups     []string `json:"groups,omitempty"`
	Subnets    []string `json:"subnets,omitempty"`
}

// Certificate is a TLS certificate: one that is configured on a host, or one that a server showed.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names,omitempty"` // DNS names it is for
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	CA        bool      `json:"ca,omitempty"`
}

// Served is the certificate chain that a server shows where the program runs; its first one is the server's own.
type Served struct {
	Seen
	Endpoint string        `json:"endpoint"` // URL
	Chain    []Certificate `json:"chain"`
	Trusted  bool          `json:"trusted"`       // by the roots of this machine
	Why      string        `json:"why,omitempty"` // why not
}
