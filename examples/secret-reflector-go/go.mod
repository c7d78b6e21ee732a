module secret-reflector

go 1.22
