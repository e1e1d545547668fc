using BenchmarkDotNet.Running;
using Diffusion.Benchmarks;
using Diffusion.Priors;
using Diffusion.Runtime;

// profile HEIGHT WIDTH DTYPE ROUNDS THREADS [details] [unfused]: where the time of the shipped prior's network goes.
// Anything else goes to BenchmarkDotNet: --filter '*', --list flat, ...
if (args is not ["profile", ..])
{
    BenchmarkSwitcher.FromAssembly(typeof(NetworkProfile).Assembly).Run(args);
    return;
}
int Number(int at, int absent) => args.Length > at && int.TryParse(args[at], out int value) ? value : absent;
ComputePolicy policy = ComputePolicy.Choose("cpu", args.Length > 3 ? args[3] : "fp32", Number(5, Environment.ProcessorCount)) with { Fused = !args.Contains("unfused") };
using UNetPrior prior = ShippedPrior.Load(policy);
NetworkProfile.Print(prior.Network, Number(1, 256), Number(2, 256), Number(4, 10), args.Contains("details"));
