package op

// writeTrust replaces the trust policy of a role as a whole. Its input is flat: RoleName, PolicyDocument. A step says its own undo: the policy as
// it was.
func writeTrust() Op {
	return Op{
		Service: "iam", Name: "UpdateAssumeRolePolicy", Actions: []string{"iam:UpdateAssumeRolePolicy"}, Resource: roleARN, Write: true, Repeat: Safe,
		Says:     func(in Input) string { return "write the trust policy of role " + in["RoleName"] },
		Disturbs: "others may assume the role than before",
		OneWay:   "without the trust policy as it was it cannot be undone",
	}
}
