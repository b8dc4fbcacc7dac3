package hostnotready

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// Fault is the fault host-not-ready.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "host-not-ready",
		Doc:  doc(),
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindAction, fact.KindConnection, fact.KindHost, fact.KindSubnet, fact.KindSecurityGroup,
			fact.KindNetworkACL, fact.KindRouteTable, fact.KindDHCPOptions, fact.KindCertificate, fact.KindEvent, fact.KindRegion},
		Explains: []fault.Code{"source-stale", "connection-error"},
		Diagnose: diagnose,
	}
}

func doc() fault.Doc {
	return fault.Doc{
		Title:   "Host stands in the way of its connections",
		Symptom: "Connections to GitHub Enterprise Server or GitLab self-managed stay Pending or go to Error, or their pipelines fail to fetch.",
		Text: "A self-managed server is reached through a host. It has to be set up once by an administrator of the server, and when it lives in a VPC its subnets, security groups, " +
			"network ACLs, routes, DNS and TLS certificate must let it through, today as on the day it was made. AWS's texts do not say which of them fails.",
		Causes: []fault.CauseDoc{
			{Code: neverSetUp, Text: "Nobody has set the host up.", Evidence: "ListHosts says PENDING.", Remedy: "An administrator of the server sets it up in the console: Settings, Connections, Hosts."},
			{Code: initialising, Text: "AWS is still making it.", Evidence: "ListHosts says VPC_CONFIG_INITIALIZING.", Remedy: "Wait some minutes and look again."},
			{Code: vpcFailed, Text: "The VPC's parts do not fit: a subnet or group of another VPC, two subnets in one zone, another host in the VPC, missing ec2 permissions of its creator.", Evidence: "ListHosts says VPC_CONFIG_FAILED_INITIALIZATION, with a message; the subnets and groups themselves.", Remedy: "Correct what the message names and update the host: UpdateHost keeps its connections."},
			{Code: groupBlocks, Text: "No egress rule of its security groups lets it out.", Evidence: "DescribeSecurityGroups, and a failure. Inferred.", Remedy: "Add the egress rule again: TCP, the server's port, to the server."},
			{Code: aclBlocks, Text: "A network ACL drops the calls or the replies.", Evidence: "DescribeNetworkAcls, and a failure. Inferred.", Remedy: "Allow the server's port out and TCP 1024-65535 in, before the rule that denies."},
			{Code: noRoute, Text: "A subnet has no route to the server.", Evidence: "DescribeRouteTables, and a failure. Inferred.", Remedy: "Add the route again, or point it at a target that exists."},
			{Code: dnsChanged, Text: "The VPC's DNS servers changed: the host keeps the old ones.", Evidence: "CloudTrail shows AssociateDhcpOptions after the host was made. Inferred.", Remedy: "Put the old DNS servers back, or delete the host and make it anew; its connections go with it."},
			{Code: certExpired, Text: "A certificate expired.", Evidence: "The certificate itself.", Remedy: "Renew the server's certificate; where it is of a private authority, update the one on the host as well."},
			{Code: certName, Text: "The server's certificate is for another name.", Evidence: "The certificate, as seen from where unjam runs. Inferred.", Remedy: "Give the server a certificate for the name in the host's URL."},
			{Code: certUntrusted, Text: "The server's certificate is of a private authority that the host does not know.", Evidence: "The certificate, as seen from where unjam runs. Inferred.", Remedy: "Configure the authority's public certificate on the host."},
			{Code: unreachable, Text: "AWS cannot reach the server, and nothing on AWS's side of the way blocks it.", Evidence: "The failure, and everything above read.", Remedy: "Retry the Source stage once: it may have passed. If it fails again, look at the server: is it up, does its firewall let the VPC's subnets in, is its certificate good?"},
			{Code: appChanged, Text: "Its app on the server was deleted, or its name or key changed.", Evidence: "ListHosts says ERROR. Inferred.", Remedy: "It does not come back: delete the host with its connections and make both anew, with the app installed again."},
			{Code: unknownCause, Text: "It cannot be told.", Evidence: "The status or the failure alone.", Remedy: "Grant the missing ec2 permissions and ask again, or look at subnets, groups, ACLs, routes, DNS and certificate by hand."},
		},
		See:      []string{"aws codeconnections list-hosts", "aws ec2 describe-security-groups --filters Name=vpc-id,Values=VPC"},
		Remedy:   "Make the host AVAILABLE first, or its way to the server free again.",
		Severity: fault.High, Bucket: fault.Network, Since: "0.2.0",
		Links: []string{"https://docs.aws.amazon.com/dtconsole/latest/userguide/troubleshooting-connections.html", "https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-host-setup.html"},
	}
}
