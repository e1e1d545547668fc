using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Jupyter;
using Diffusion.Jupyter.Notebooks;

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
        _connection = Take(
            new Argument<string>("connection") { HelpName = "FILE", Description = "The connection file that Jupyter writes" }
        );

    public override IReadOnlyList<string> Examples => ["diffusion jupyter run --help"];

    public override ExitCode Run(Session session)
    {
        JupyterKernel.Run(session.Get(_connection)!);
        return ExitCode.Done;
    }
}

/// <summary><c>diffusion jupyter write SOURCE...</c>: notebooks and programs from their common source.</summary>
internal sealed class JupyterWriteVerb : Verb
{
    private readonly Argument<string[]> _sources;
    private readonly Option<string?> _output;
    private readonly Option<bool> _programs;

    public JupyterWriteVerb()
        : base("write", "Run notebooks from their sources, and write them with their outputs, and as programs of one file")
    {
        _sources = Take(
            new Argument<string[]>("source")
            {
                HelpName = "SOURCE...",
                Description = "Markdown whose blocks of csharp are the cells",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _output = Take(new Option<string?>("--output", "-o") { HelpName = "DIR", Description = "Where they go (the current folder)" });
        _programs = Take(new Option<bool>("--programs-only") { Description = "Run nothing: write the programs" });
    }

    public override IReadOnlyList<string> Examples => ["diffusion jupyter write notebook.md -o notebooks/"];

    public override ExitCode Run(Session session)
    {
        string folder = Path.GetFullPath(session.Get(_output) ?? ".");
        Directory.CreateDirectory(folder);
        foreach (string path in session.Get(_sources)!)
        {
            NotebookSource source = NotebookSource.Read(path);
            Write(".cs", NotebookProgram.Of(source));
            if (session.Get(_programs))
                continue;
            int cells = source.Cells.Count(cell => cell.IsCode);
            IReadOnlyList<JsonArray> outputs = [];
            session.Terminal.WithProgress(source.Name, report =>
                outputs = NotebookRun.Outputs(source, done => report((double)done / cells), session.Cancellation)
            );
            Write(".ipynb", NotebookFile.Of(source, outputs));

            void Write(string extension, string text) =>
                OutputFile.Write(Path.Combine(folder, source.Name + extension), true, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        }
        return ExitCode.Done;
    }
}
