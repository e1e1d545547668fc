using Diffusion.Cli.Shell;
using Diffusion.Native;

// The process is ours alone.
DiffusionRuntime.Configure(RuntimeOptions.Full);
return CommandShell.Run(args);
