using System.Reflection;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Benchmarks;

/// <summary>The prior that ships, from the repository.</summary>
internal static class ShippedPrior
{
    public static NetworkPrior Load(ComputePolicy policy)
    {
        string root = typeof(ShippedPrior)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == "RepositoryRoot")
            .Value!;
        return (NetworkPrior)PriorLoader.Load(Path.Combine(root, "checkpoints", "photo"), policy);
    }
}
