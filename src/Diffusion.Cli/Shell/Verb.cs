using System.CommandLine;
using System.CommandLine.Invocation;

namespace Diffusion.Cli.Shell;

/// <summary>One verb of the command: its options, its examples and what it does.</summary>
internal abstract class Verb(string name, string description) : Command(name, description)
{
    /// <summary>Command lines that its help shows.</summary>
    public abstract IReadOnlyList<string> Examples { get; }

    /// <summary>Does it.</summary>
    public abstract ExitCode Run(Session session);

    /// <summary>Adds a description to an option in one expression.</summary>
    protected Option<T> Take<T>(Option<T> option)
    {
        Add(option);
        return option;
    }

    /// <summary>Adds an argument in one expression.</summary>
    protected Argument<T> Take<T>(Argument<T> argument)
    {
        Add(argument);
        return argument;
    }
}

/// <summary>The action of a verb that has verbs below it, which the parser would otherwise take for required.</summary>
internal sealed class RunsAlone : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult) => throw new InvalidOperationException("The shell runs verbs.");
}

/// <summary>A verb that only groups others: <c>operators list</c>.</summary>
internal sealed class VerbGroup : Command
{
    /// <summary>Groups <paramref name="verbs"/>.</summary>
    public VerbGroup(string name, string description, params ReadOnlySpan<Verb> verbs)
        : base(name, description)
    {
        foreach (Verb verb in verbs)
            Add(verb);
    }
}
