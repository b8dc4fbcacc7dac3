package op

// changeRecord is one change of one record set of a hosted zone with a single value. Its input is flat: HostedZoneId, Action (UPSERT, CREATE
// or DELETE), Name, Type, TTL in seconds, Value. A step that replaces a record says its own undo: the old value.
func changeRecord() Op {
	return Op{
		Service: "route53", Name: "ChangeResourceRecordSets", Actions: []string{"route53:ChangeResourceRecordSets"}, Resource: zoneARN,
		Write: true, Repeat: Safe,
		Undo: func(in Input) (string, string, Input) {
			u := Input{"HostedZoneId": in["HostedZoneId"], "Action": "DELETE", "Name": in["Name"], "Type": in["Type"], "TTL": in["TTL"], "Value": in["Value"]}
			if in["Action"] == "DELETE" {
				u["Action"] = "CREATE"
			}
			return "route53", "ChangeResourceRecordSets", u
		},
		Says: func(in Input) string {
			if in["Action"] == "DELETE" {
				return "delete the record " + in["Name"] + " " + in["Type"] + " " + in["Value"]
			}
			return "write the record " + in["Name"] + " " + in["Type"] + " " + in["Value"]
		},
		Disturbs: "whoever looks the name up, after at most the time to live of what was there",
	}
}
