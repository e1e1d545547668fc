using System.Text.Json.Nodes;
using Diffusion.Pipeline;

namespace Diffusion.Tests.Pipeline;

/// <summary>Parts of an array job.</summary>
public sealed class ShardTests
{
    private static JobItem[] Items(int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new JobItem($"{i}.png", $"out/{i}.png", () => new JsonObject { ["input"] = $"{i}.png" })),
        ];

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(7)]
    public void Every_item_belongs_to_one_part(int count)
    {
        Shard[] shards = [.. Enumerable.Range(1, count).Select(i => new Shard(i, count))];
        JobItem[] items = Items(200);
        Assert.All(items, item => Assert.Single(shards, shard => shard.Holds(item)));
        Assert.All(shards, shard => Assert.InRange(items.Count(shard.Holds), 100 / count, 400 / count));
    }

    [Fact]
    public void A_part_does_not_depend_on_order_place_or_machine()
    {
        Shard shard = new(2, 3);
        string[] part = [.. new FileJob(Items(50), shard).Items.Select(item => item.Input).Order()],
            shuffled = [.. new FileJob([.. Items(50).OrderBy(item => item.Key)], shard).Items.Select(item => item.Input).Order()];
        Assert.Equal(part, shuffled);
        // The key is that of all machines and versions: a change of it would tear running array jobs apart.
        Assert.Equal("ca6d3368", Items(1)[0].Key[..8]);
    }

    [Fact]
    public void Slurm_says_which_part_it_is()
    {
        Dictionary<string, string?> environment = new()
        {
            ["SLURM_ARRAY_TASK_ID"] = "12",
            ["SLURM_ARRAY_TASK_MIN"] = "10",
            ["SLURM_ARRAY_TASK_COUNT"] = "4",
        };
        Assert.Equal(new Shard(3, 4), Shard.Parse("auto", environment.GetValueOrDefault));
        environment["SLURM_ARRAY_TASK_STEP"] = "2";
        Assert.Equal(new Shard(2, 4), Shard.Parse("auto", environment.GetValueOrDefault));
    }

    [Fact]
    public void Kubernetes_says_the_index_and_somebody_the_count()
    {
        Dictionary<string, string?> environment = new() { ["JOB_COMPLETION_INDEX"] = "0" };
        Assert.Equal(new Shard(1, 8), Shard.Parse("auto/8", environment.GetValueOrDefault));
        Assert.Contains("auto/N", Assert.Throws<ArgumentException>(() => Shard.Parse("auto", environment.GetValueOrDefault)).Message);
        environment["JOB_COMPLETIONS"] = "5";
        Assert.Equal(new Shard(1, 5), Shard.Parse("auto", environment.GetValueOrDefault));
    }

    [Theory]
    [InlineData("0/4"), InlineData("5/4"), InlineData("1/0"), InlineData("-1/4"), InlineData("2"), InlineData("a/b"), InlineData("1/2/3")]
    public void What_is_no_part_is_refused(string text) => Assert.Throws<ArgumentException>(() => Shard.Parse(text, _ => null));

    [Fact]
    public void Outside_of_a_cluster_there_is_no_auto() =>
        Assert.Contains("I/N", Assert.Throws<ArgumentException>(() => Shard.Parse("auto", _ => null)).Message);
}
