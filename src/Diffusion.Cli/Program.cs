using Diffusion.Cli.Shell;

return CommandShell.Run(args);
