global using Xunit;

// Each test starts the command, which takes every core: one after another.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
