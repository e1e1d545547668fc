using System.CommandLine;
using System.Reflection;
using Diffusion.Cli.Shell;
using Diffusion.Inverse;
using Diffusion.Networks;
using Diffusion.Operators;
using Diffusion.Pipeline;
using Diffusion.Solvers;

namespace Diffusion.Cli.Options;

/// <summary>What names mean on a command line: what ships, and what <c>--plugin</c> brings. Only that option runs foreign code.</summary>
internal sealed class Catalogs(Session session, Option<string[]> plugins)
{
    private readonly Assembly[] _plugins =
    [
        .. (session.Get(plugins) ?? []).SelectMany(path => UsageException.Guard(() => Plugins.Load(path))),
    ];

    /// <summary>Operators.</summary>
    public OperatorCatalog Operators =>
        field ??= _plugins.Length == 0 ? ShippedOperators.Catalog : UsageException.Guard(() => ShippedOperators.Catalog.With(_plugins));

    /// <summary>Solvers.</summary>
    public SolverCatalog Solvers =>
        field ??= _plugins.Length == 0 ? SolverCatalog.BuiltIn : UsageException.Guard(() => SolverCatalog.With(_plugins));

    /// <summary>Network families; null where only those that ship are known.</summary>
    public NetworkCatalog? Networks => field ??= _plugins.Length == 0 ? null : UsageException.Guard(() => NetworkCatalog.With(_plugins));

    /// <summary>Restoration methods.</summary>
    public MethodCatalog Methods => field ??= UsageException.Guard(() => MethodCatalog.With(_plugins));
}
