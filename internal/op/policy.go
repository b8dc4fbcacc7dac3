package op

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Document is an IAM policy document.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement is one Allow of a policy document.
type Statement struct {
	Sid       string `json:",omitempty"`
	Effect    string
	Action    []string
	Resource  any                          // "*" or a list of ARNs
	Condition map[string]map[string]string `json:",omitempty"`
}

// HandshakePolicy is the policy a person needs to complete connections: the handshake's actions under both prefixes. Those that
// know no resource are granted on "*", narrowed by provider where there is a condition key for it.
func HandshakePolicy(provider string, connectionARNs ...string) string {
	narrowed := func(prefix string) Statement {
		st := Statement{Sid: "Handshake" + sid(prefix), Effect: "Allow", Resource: "*",
			Action: []string{prefix + ":GetIndividualAccessToken", prefix + ":GetInstallationUrl", prefix + ":StartOAuthHandshake"}}
		if provider != "" {
			st.Condition = map[string]map[string]string{"StringEqualsIfExists": {prefix + ":ProviderType": provider}}
		}
		return st
	}
	d := Document{Version: "2012-10-17", Statement: []Statement{
		{Sid: "See", Effect: "Allow", Resource: "*", Action: []string{
			"codeconnections:ListConnections", "codeconnections:ListInstallationTargets", "codeconnections:ListTagsForResource",
			"codestar-connections:ListConnections", "codestar-connections:ListInstallationTargets", "codestar-connections:ListTagsForResource"}},
		narrowed("codeconnections"), narrowed("codestar-connections"),
		{Sid: "Complete", Effect: "Allow", Resource: connectionARNs, Action: []string{
			"codeconnections:GetConnection", "codeconnections:UpdateConnectionInstallation",
			"codestar-connections:GetConnection", "codestar-connections:UpdateConnectionInstallation"}},
	}}
	return d.String()
}

func sid(prefix string) string {
	if prefix == "codeconnections" {
		return "CodeConnections"
	}
	return "CodeStarConnections"
}

// String is the document as indented JSON.
func (d Document) String() string {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("op: policy does not marshal: %v", err))
	}
	return string(b)
}

// ReadPolicy is the least policy for diagnosing: every read of the catalogue and nothing else; not those that only a flag asks for. account and partition may be "*".
func ReadPolicy(partition, account string) Document {
	return Document{Version: "2012-10-17", Statement: grouped("Read", reads(), partition, account)}
}

// FixPolicy is the least policy for diagnosing and applying: the reads and the writes of the catalogue.
func FixPolicy(partition, account string) Document {
	return Document{Version: "2012-10-17", Statement: append(grouped("Read", reads(), partition, account), grouped("Write", writes(), partition, account)...)}
}

// grouped makes one statement per resource.
func grouped(sid string, ops []Op, partition, account string) []Statement {
	var order []string
	actions := map[string][]string{}
	for _, o := range ops {
		if len(o.Actions) == 0 || o.Flag != "" {
			continue // needs no permission, or is only called when a flag asks for it
		}
		for _, res := range resources(o, partition, account) {
			if actions[res] == nil {
				order = append(order, res)
			}
			actions[res] = append(actions[res], o.Actions...)
		}
	}
	var all []Statement
	byActions := map[string]int{}
	for _, res := range order {
		list := slices.Clone(actions[res])
		slices.Sort(list)
		list = slices.Compact(list)
		key := strings.Join(list, ",")
		if i, ok := byActions[key]; ok {
			all[i].Resource = append(all[i].Resource.([]string), res)
			continue
		}
		byActions[key] = len(all)
		all = append(all, Statement{Sid: fmt.Sprintf("%s%d", sid, len(all)+1), Effect: "Allow", Action: list, Resource: []string{res}})
	}
	return all
}

// resources are what an operation's actions are granted on. Connections carry either prefix.
func resources(o Op, partition, account string) []string {
	fill := strings.NewReplacer("{partition}", partition, "{account}", account)
	if o.Resource == "*" {
		return []string{"*"}
	}
	if o.Resource == connectionARN {
		return []string{fill.Replace(connectionARN), strings.Replace(fill.Replace(connectionARN), ":codeconnections:", ":codestar-connections:", 1)}
	}
	return []string{fill.Replace(o.Resource)}
}
