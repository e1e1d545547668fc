using Diffusion.Imaging;

namespace Diffusion.Tests.Imaging;

public sealed class SheetTests : PictureFixture
{
    private static Tensor White(int height, int width) => torch.ones(1, 3, height, width);

    /// <summary>The dark pixels of a sheet of one white panel: its caption.</summary>
    private static Tensor InkOf(string caption, int width = 300) => Sheet.Draw([new SheetPanel(caption, White(150, width))])[0, 0].lt(0.5);

    [Fact]
    public void Captions_are_really_drawn_letter_by_letter()
    {
        Tensor first = InkOf("measurement"),
            second = InkOf("restored"),
            third = InkOf("restoreb");
        Assert.True(first.sum().item<long>() > 100 && second.sum().item<long>() > 80, "no ink");
        Assert.False(second.eq(third).all().item<bool>(), "d and b look the same: boxes instead of letters");
        Assert.True(InkOf("restored").eq(second).all().item<bool>());
        // A box per character would grow evenly; an i is narrower than an m.
        Assert.True(Extent(InkOf("mmmmmm")) > 2 * Extent(InkOf("iiiiii")));
    }

    [Fact]
    public void Captions_share_a_baseline()
    {
        Tensor low = InkOf("ace"),
            high = InkOf("Ace");
        static int LastRow(Tensor ink) => ink.any(1).nonzero().max().ToInt32();
        Assert.Equal(LastRow(low), LastRow(high));
    }

    [Fact]
    public void Markup_and_odd_characters_are_text()
    {
        Tensor markup = InkOf("a < b & <b>c</b>");
        Assert.True(markup.sum().item<long>() > InkOf("a").sum().item<long>());
        Assert.Equal(0, InkOf("").sum().item<long>());
        Assert.Equal(0, InkOf(" \t\u0001").sum().item<long>());
        Assert.True(InkOf("σ = 2 × 4 → ok").sum().item<long>() > 50);
    }

    [Fact]
    public void Long_captions_end_inside_their_panel()
    {
        string caption = string.Join(" ", Enumerable.Repeat("a very long caption", 20));
        Tensor sheet = Sheet.Draw([new SheetPanel(caption, White(150, 200)), new SheetPanel("b", White(150, 200))]);
        Assert.Equal([1, 3, 150 + 21 + 2 * 12, 2 * 200 + 3 * 12], sheet.shape);
        Assert.Equal(1f, sheet.narrow(3, 12 + 200, 12).min().item<float>());
    }

    [Fact]
    public void Panels_keep_their_pixels_and_measurements_are_enlarged_by_repetition()
    {
        Tensor large = Ramp(3, 160, 200),
            small = Ramp(3, 40, 50);
        Tensor sheet = Sheet.Draw(
            [new SheetPanel("small", small), new SheetPanel("large", large)],
            new SheetOptions { Margin = 10, FontSize = 10 }
        );
        Tensor panels = sheet.narrow(2, 10 + 14, 160);
        AssertEqual(large, panels.narrow(3, 10 + 200 + 10, 200));
        AssertEqual(small.repeat_interleave(4, 2).repeat_interleave(4, 3), panels.narrow(3, 10, 200));
    }

    [Fact]
    public void The_detail_shows_the_same_place_of_every_panel()
    {
        Tensor large = torch.zeros(1, 1, 160, 160),
            small = torch.zeros(1, 1, 40, 40);
        large.narrow(2, 40, 40).narrow(3, 80, 40).fill_(1);
        small.narrow(2, 10, 10).narrow(3, 20, 10).fill_(1);
        Tensor sheet = Sheet.Draw(
            [new SheetPanel("a", large), new SheetPanel("b", small)],
            new SheetOptions { Crop = new SheetCrop(80, 40, 40, 40), Margin = 10 }
        );
        Tensor details = sheet.narrow(2, sheet.shape[2] - 10 - 160, 160);
        Assert.Equal(1f, details.narrow(3, 10, 330).min().item<float>());
    }

    [Fact]
    public void Tiny_gray_and_mixed_panels_fit()
    {
        Assert.Equal(
            128,
            Sheet.Draw([new SheetPanel("", torch.rand(1, 1, 1, 1))], new SheetOptions { Margin = 0, FontSize = 10 }).shape[3]
        );
        Tensor sheet = Sheet.Draw(
            [
                new SheetPanel("a\nb", torch.rand(1, 1, 33, 77)),
                new SheetPanel("c", torch.rand(3, 50, 20)),
                new SheetPanel("d", torch.rand(1, 3, 150, 99)),
            ],
            new SheetOptions { Columns = 2 }
        );
        Assert.False(sheet.isnan().any().item<bool>());
        Assert.InRange(sheet.max().item<float>(), 0, 1);
    }

    [Fact]
    public void Wrong_arguments_name_what_was_received()
    {
        Assert.Contains("at least one", Assert.Throws<ArgumentException>(() => Sheet.Draw([])).Message);
        Assert.Contains(
            "[2,3,4,4]",
            Assert.Throws<ArgumentException>(() => Sheet.Draw([new SheetPanel("a", torch.rand(2, 3, 4, 4))])).Message
        );
        Assert.Contains(
            "50x50+120+0",
            Assert
                .Throws<ArgumentException>(() =>
                    Sheet.Draw([new SheetPanel("a", White(150, 150))], new SheetOptions { Crop = new SheetCrop(120, 0, 50, 50) })
                )
                .Message
        );
    }

    [Fact]
    public void A_sheet_is_written_as_a_picture()
    {
        Sheet.Write(
            At("sheet.png"),
            [new SheetPanel("measurement\n21.3 dB", Ramp(3, 130, 140)), new SheetPanel("restored\n27.1 dB", Smooth(3, 130, 140))]
        );
        using Picture picture = ImageFile.Read(At("sheet.png"));
        Assert.Equal((2 * 140 + 36, 130 + 42 + 24), (picture.Width, picture.Height));
    }

    private static int Extent(Tensor ink) => ink.any(0).sum().ToInt32();
}
