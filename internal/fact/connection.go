package fact

// ConnectionStatus values (API_Connection, member ConnectionStatus).
const (
	StatusPending   = "PENDING"
	StatusAvailable = "AVAILABLE"
	StatusError     = "ERROR"
)

// Connection is a connection to a Git provider. AWS gives it no times and no reason for its status.
type Connection struct {
	Seen
	ARN      string `json:"arn"`
	Name     string `json:"name"`
	Provider string `json:"provider"` // ProviderType, for example GitHub
	Owner    string `json:"owner"`    // OwnerAccountId
	Status   string `json:"status"`
	HostARN  string `json:"hostArn,omitempty"`
}

// Host is a self-managed provider's host. Hosts are regional, connections are not.
type Host struct {
	Seen
	ARN      string   `json:"arn"`
	Name     string   `json:"name"`
	Provider string   `json:"provider"`
	Endpoint string   `json:"endpoint"`
	Status   string   `json:"status"`            // PENDING, AVAILABLE, VPC_CONFIG_...; free text in the model
	Message  string   `json:"message,omitempty"` // StatusMessage: only ListHosts has it
	VPC      string   `json:"vpc,omitempty"`
	Subnets  []string `json:"subnets,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	// Certificates are those configured on the host (VpcConfiguration.TlsCertificate): public, for servers of a private CA.
	Certificates []Certificate `json:"certificates,omitempty"`
}

// Tags are the tags of a resource.
type Tags struct {
	Seen
	Tags map[string]string `json:"tags"`
}
