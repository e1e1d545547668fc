using System.Reflection;
using Diffusion.Benchmarks;
using Diffusion.Priors;
using Diffusion.Runtime;

// profile [height] [width] [fp32|bf16] [rounds] [threads] [details] [unfused]: where the time of the shipped prior's network goes.
if (args is ["profile", ..])
{
    int Number(int at, int absent) => args.Length > at && int.TryParse(args[at], out int value) ? value : absent;
    string dtype = args.Length > 3 ? args[3] : "fp32";
    ComputePolicy policy = ComputePolicy.Choose("cpu", dtype, Number(5, Environment.ProcessorCount)) with { Fused = !args.Contains("unfused") };
    string root = typeof(NetworkProfile).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;
    using UNetPrior prior = (UNetPrior)PriorLoader.Load(Path.Combine(root, "checkpoints", "photo"), policy);
    NetworkProfile.Print(prior.Network, Number(1, 256), Number(2, 256), Number(4, 10), args.Contains("details"));
    return 0;
}
Console.Error.WriteLine("Usage: profile [height] [width] [fp32|bf16] [rounds] [threads] [details] [unfused]");
return 2;
