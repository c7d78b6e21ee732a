// aws-lambda-ric reads the handler's name from _HANDLER, which Lambda leaves empty for an image
// (aws/aws-lambda-ruby-runtime-interface-client#56). Here it is the argument.
process.env._HANDLER = process.argv[2];
await import("aws-lambda-ric");
