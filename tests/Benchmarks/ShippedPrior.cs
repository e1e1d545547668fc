using System.Reflection;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Benchmarks;

/// <summary>The prior that ships, from the repository.</summary>
internal static class ShippedPrior
{
    public static UNetPrior Load(ComputePolicy policy)
    {
        string root = typeof(ShippedPrior)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == "RepositoryRoot")
            .Value!;
        return (UNetPrior)PriorLoader.Load(Path.Combine(root, "checkpoints", "photo"), policy);
    }
}
