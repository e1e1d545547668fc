global using Xunit;

// libtorch's threads, its dispose scopes and its statistics are shared: classes run one after another.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: Diffusion.Tests.HoldFinalizers]
