using Xunit.Sdk;

namespace Diffusion.Tests.Parity;

/// <summary>The harness itself: it must be able to fail.</summary>
public sealed class ParityHarnessTests
{
    public static TheoryData<string> Cases => ParityCase.All("checkpoints");

    [Theory, MemberData(nameof(Cases))]
    public void Every_expected_tensor_can_be_read_and_equals_itself(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        foreach (string name in reference.Outputs)
            reference.AssertOutput(name, reference.Expected(name));
        reference.AssertAllOutputsTested();
    }

    [Fact]
    public void A_difference_just_above_the_tolerance_fails()
    {
        Tensor expected = torch.tensor([1.0, 100.0]);
        TensorAssert.Close("x", expected, torch.tensor([1.0109, 101.0]), atol: 1e-3, rtol: 1e-2);
        Assert.ThrowsAny<XunitException>(() => TensorAssert.Close("x", expected, torch.tensor([1.0111, 101.0]), atol: 1e-3, rtol: 1e-2));
    }

    [Fact]
    public void Nan_another_shape_and_a_wrong_integer_fail()
    {
        Assert.ThrowsAny<XunitException>(() => TensorAssert.Close("x", torch.tensor([1.0]), torch.tensor([double.NaN]), 1, 1));
        Assert.ThrowsAny<XunitException>(() => TensorAssert.Close("x", torch.ones(2, 1), torch.ones(1, 2), 1, 1));
        Assert.ThrowsAny<XunitException>(() => TensorAssert.Close("x", torch.tensor([1L]), torch.tensor([2L]), 10, 10));
    }

    [Fact]
    public void A_key_that_nobody_asked_for_fails()
    {
        using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse("""{"a": 1, "b": {"c": 2, "d": "text"}}""");
        ConfigNode config = new(json.RootElement, "config");
        Assert.Equal(1, config.Int("a"));
        ConfigNode b = config.Object("b");
        Assert.Equal(2, b.Int("c"));
        Assert.ThrowsAny<XunitException>(config.AssertAllKeysUsed);
        b.Text("d", "absent");
        config.AssertAllKeysUsed();
    }
}
