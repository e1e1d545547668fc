using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Diffusion.Tests.Inverse;

public sealed class OperatorSpecTests
{
    private static OperatorSpec Parse(string text) => ShippedOperators.Catalog.Parse(text);

    [Fact]
    public void A_spec_is_a_typed_record()
    {
        Assert.Equal(
            new Blur { Sigma = 3 } | new Downsample { Factor = 2, Kernel = DownsampleKernel.Box },
            Parse("blur:sigma=3|downsample:factor=2,kernel=box")
        );
        Assert.Equal(
            "blur:sigma=3|downsample:factor=2,kernel=box",
            Parse(" blur : sigma = 3 | downsample : kernel = box , factor = 2 ").ToString()
        );
        Assert.Equal("blur", Parse("blur:sigma=2").ToString());
        Assert.Equal(new Mask { Box = Region.At(64, 32, 5, 7) }, Parse("mask:box=64x32+5+7"));
        Assert.Equal(new Mask { Random = 0.25 }, Parse("mask:random=1/4"));
        Assert.Equal(DecimationPhase.First, Assert.IsType<Downsample>(Parse("downsample:kernel=decimate,phase=0")).Phase);
    }

    [Theory]
    [InlineData(@"blur:kernel=C:\k.png", @"C:\k.png")]
    [InlineData("blur:kernel=\"a,sigma=3|b.png\"", "a,sigma=3|b.png")]
    [InlineData("blur:kernel=a,b.png", "a,b.png")]
    [InlineData("blur:kernel=\"say \\\"hi\\\".png\"", "say \"hi\".png")]
    [InlineData("blur:kernel=two words.png ,sigma=1", "two words.png")]
    [InlineData("blur:kernel=\" padded \"", " padded ")]
    public void Values_may_hold_anything(string text, string kernel) => Assert.Equal(kernel, Assert.IsType<Blur>(Parse(text)).Kernel);

    [Theory]
    [InlineData("blurr", "Unknown operator \"blurr\". Did you mean \"blur\"?")]
    [InlineData("blur:sgima=2", "\"blur\" has no key \"sgima\" (blur:sgima=2). Did you mean \"sigma\"?")]
    [InlineData("blur:sigma=two", "sigma must be a number, not \"two\"")]
    [InlineData("blur:sigma=-1", "sigma must lie between 0.01 and 1000 pixels, not -1")]
    [InlineData("blur:sigma=nan", "sigma must be a number")]
    [InlineData("blur:sigma=1,sigma=2", "sigma is given twice")]
    [InlineData("downsample:factor=2.5", "factor must be a whole number")]
    [InlineData("downsample:kernel=bicubik", "Did you mean \"bicubic\"?")]
    [InlineData("downsample:factor=0", "factor must lie between 1 and 256, not 0")]
    [InlineData("mask", "The mask has no pattern")]
    [InlineData("mask:random=0.5,box=center", "The mask has 2 patterns: random, box")]
    [InlineData("mask:box=64x+3", "box must be a region")]
    [InlineData("identity:strength=3", "\"identity\" has no key")]
    [InlineData("", "An operator's name is missing")]
    [InlineData("blur|", "An operator's name is missing")]
    [InlineData("blur:kernel=\"open", "A double quote is not closed")]
    public void Errors_name_the_cause_and_the_remedy(string text, string message) =>
        Assert.Contains(message, Assert.Throws<OperatorSpecException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Settings_of_the_typed_api_are_checked_too() =>
        Assert.Contains(
            "not -1",
            Assert.Throws<OperatorSpecException>(() => new Blur { Sigma = -1 }.Bind(new ImageShape(3, 8, 8))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void A_size_that_does_not_divide_names_the_crop_that_fits() =>
        Assert.Contains(
            "Crop it to 252x248",
            Assert.Throws<OperatorSpecException>(() => Parse("downsample:factor=4").Bind(new ImageShape(3, 253, 250))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Nothing_follows_a_measurement_that_is_no_picture_or_of_another_size() =>
        Assert.Contains(
            "which 4 does not divide",
            Assert
                .Throws<OperatorSpecException>(() => Parse("downsample:factor=2|downsample:factor=4").Bind(new ImageShape(3, 12, 12)))
                .Message,
            StringComparison.Ordinal
        );

    [Property(MaxTest = 500)]
    public Property Hostile_text_survives_printing_and_parsing() => Prop.ForAll(HostileText(), HostileText(), (kernel, text) =>
        {
            OperatorSpec spec = new Blur { Kernel = kernel, Sigma = 1.5 } | new Mask { Text = text } | new Blur { Kernel = text };
            string printed = spec.ToString();
            try
            {
                OperatorSpec parsed = Parse(printed);
                return parsed == spec && parsed.ToString() == printed;
            }
            catch (OperatorSpecException refused)
            {
                // Only what no spec may say: an empty kernel, a blank text.
                return refused.What.Contains("empty", StringComparison.Ordinal) && (kernel.Length == 0 || text.AsSpan().Trim().Length == 0);
            }
        });

    [Property(MaxTest = 500)]
    public Property Any_text_is_read_or_refused_with_one_line() => Prop.ForAll(HostileText(), text =>
        {
            try
            {
                OperatorSpec spec = Parse(text);
                return Parse(spec.ToString()) == spec;
            }
            catch (OperatorSpecException refused)
            {
                return refused.Message.Length > 0;
            }
        });

    private static Arbitrary<string> HostileText()
    {
        Gen<string> piece = Gen.Elements(
            "\"",
            "\\",
            "\\\"",
            "|",
            ",",
            "=",
            ":",
            " ",
            "\t",
            "\n",
            ",sigma=",
            "kernel=",
            "C:\\a",
            "é",
            "😀",
            "blur",
            "mask:",
            "random=",
            "0.5",
            "x",
            "\0",
            "''",
            "..",
            "\u2028"
        );
        return Gen.ListOf(piece).Select(pieces => string.Concat(pieces)).ToArbitrary();
    }
}
