using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Pipeline;
using Diffusion.Restoration;

namespace Diffusion.Cli.Restoring;

/// <summary>
/// What restores on a command line. What is wrong with its options is found when it is made, before any file is looked for.
/// </summary>
internal abstract class RestoreWay
{
    /// <summary>How it is run, but for the policy.</summary>
    public abstract RunOptions Options { get; }

    /// <summary>A prior with operator and solver, or a model by its name.</summary>
    /// <exception cref="UsageException">Unknown names, impossible values, or options that exclude each other.</exception>
    public static RestoreWay Of(Session session, WayOptions way, ExecutionOptions execution)
    {
        Catalogs catalogs = new(session, way.Problem.Plugins);
        return session.Get(way.Model) is { } model
            ? new ModelWay(session, way, execution, catalogs, model)
            : new ZeroShotWay(session, way, execution, catalogs);
    }

    /// <summary>Checks that everything is said about the inputs.</summary>
    /// <exception cref="UsageException">Something is missing, or there is no such file or prior.</exception>
    public virtual void Check(IReadOnlyList<string> inputs) { }

    /// <summary>What decides a restoration.</summary>
    public abstract JsonObject SettingsOf(string input);

    /// <summary>The class of an input, for class-conditional priors.</summary>
    public virtual long? LabelOf(string input) => null;

    /// <summary>The method, which is still to be opened; the caller disposes it.</summary>
    public abstract IRestorationMethod Create();

    /// <summary>A warning once the method is open; null when there is nothing to say.</summary>
    public virtual string? Warning() => null;
}
