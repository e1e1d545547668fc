#:package TorchSharp@0.107.0
#:package libtorch-cpu-linux-x64@2.10.0
#:property AllowUnsafeBlocks=true
#:property PublishAot=false

// TorchSharp 0.107.0: the Scalar behind a number is freed by its finalizer while libtorch still reads it.
// Run: dotnet run -c Release scalar-finalizer-race.cs [SECONDS]
using TorchSharp;

int seconds = args.Length > 0 ? int.Parse(args[0]) : 30;
long sums = 0;
string? failure = null;
Thread[] adders = [.. Enumerable.Range(0, Math.Max(2, Environment.ProcessorCount)).Select(_ => new Thread(Add))];
foreach (Thread adder in adders)
    adder.Start();
for (DateTime end = DateTime.UtcNow.AddSeconds(seconds); DateTime.UtcNow < end && failure is null; )
{
    GC.Collect(0);
    Thread.Sleep(1);
}
bool passed = failure is null;
failure ??= "none";
foreach (Thread adder in adders)
    adder.Join();
Console.WriteLine($"{sums} sums; failure: {failure}");
return passed ? 0 : 1;

void Add()
{
    using DisposeScope scope = torch.NewDisposeScope(); // roots every tensor: what is lost below is no tensor
    torch.Tensor ones = torch.ones(1, 32, 64, 64, dtype: torch.ScalarType.BFloat16);
    torch.Tensor two = ones.add(ones);
    while (failure is null)
    {
        try
        {
            using torch.Tensor sum = ones + ones; // inside: add(other, alpha: new Scalar(1))
            if (Interlocked.Increment(ref sums) % 16 == 0)
            {
                using torch.Tensor right = sum.eq(two).all();
                if (!right.item<bool>())
                    failure = "1 + 1 is " + sum.max().to(torch.ScalarType.Float32).item<float>();
            }
        }
        catch (Exception e)
        {
            failure = e.GetType().Name + ": " + e.Message.Split('\n')[0];
        }
    }
}
