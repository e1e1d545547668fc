using System.CommandLine;
using Diffusion.Cli.Shell;
using Diffusion.Jupyter;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion jupyter install</c>: tells Jupyter of the kernel.</summary>
internal sealed class JupyterInstallVerb : Verb
{
    private readonly Option<string?> _folder;

    public JupyterInstallVerb()
        : base("install", "Tell Jupyter of the kernel C# (Diffusion)") =>
        _folder = Take(
            new Option<string?>("--folder") { HelpName = "DIR", Description = "Where kernels lie (Jupyter's folder of this user)" }
        );

    public override IReadOnlyList<string> Examples => ["diffusion jupyter install"];

    public override ExitCode Run(Session session)
    {
        string folder = KernelSpec.Install(Command(), session.Get(_folder));
        session.Terminal.Print($"{KernelSpec.DisplayName}: {folder}");
        return ExitCode.Done;
    }

    // Under `dotnet diffusion.dll` the process is dotnet.
    private static string[] Command()
    {
        string process = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(process) == "dotnet"
            ? [process, Path.Combine(AppContext.BaseDirectory, "diffusion.dll")]
            : [process];
    }
}

/// <summary><c>diffusion jupyter run FILE</c>: is the kernel; Jupyter calls it.</summary>
internal sealed class JupyterRunVerb : Verb
{
    private readonly Argument<string> _connection;

    public JupyterRunVerb()
        : base("run", "Be the kernel of a notebook; Jupyter calls this") =>
        _connection = Take(new Argument<string>("connection") { HelpName = "FILE", Description = "The connection file that Jupyter writes" });

    public override IReadOnlyList<string> Examples => ["diffusion jupyter run kernel-1.json"];

    public override ExitCode Run(Session session)
    {
        JupyterKernel.Run(session.Get(_connection)!);
        return ExitCode.Done;
    }
}
