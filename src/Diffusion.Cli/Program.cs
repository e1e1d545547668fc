using Diffusion.Cli;
using Diffusion.Native;

// The process is ours alone.
DiffusionRuntime.Configure(RuntimeOptions.Full);
return CommandShell.Run(args);
