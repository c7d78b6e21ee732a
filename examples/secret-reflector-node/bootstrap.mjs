// aws-lambda-ric reads the handler's name from _HANDLER, which Lambda leaves empty for an image: here it is an argument.
process.env._HANDLER = process.argv[2];
await import("aws-lambda-ric");
