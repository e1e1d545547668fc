namespace Diffusion.Operators;

/// <summary>
/// Letters drawn over a picture: a 5x7 dot font, scaled so that about twelve lines fill the height, the text repeated until the picture is
/// full.
/// </summary>
internal static class LetterMask
{
    private const int GlyphWidth = 6,
        GlyphHeight = 9;

    // One letter from U+0020 to U+007E: five columns, the lowest bit is the top dot.
    private const string Font =
        "0000000000"
        + "00005F0000"
        + "0007000700"
        + "147F147F14"
        + "242A7F2A12"
        + "2313086462"
        + "3649552250"
        + "0005030000"
        + "001C224100"
        + "0041221C00"
        + "082A1C2A08"
        + "08083E0808"
        + "0050300000"
        + "0808080808"
        + "0060600000"
        + "2010080402"
        + "3E5149453E"
        + "00427F4000"
        + "4261514946"
        + "2141454B31"
        + "1814127F10"
        + "2745454539"
        + "3C4A494930"
        + "0171090503"
        + "3649494936"
        + "064949291E"
        + "0036360000"
        + "0056360000"
        + "0814224100"
        + "1414141414"
        + "0041221408"
        + "0201510906"
        + "324979413E"
        + "7E1111117E"
        + "7F49494936"
        + "3E41414122"
        + "7F4141221C"
        + "7F49494941"
        + "7F09090901"
        + "3E41495132"
        + "7F0808087F"
        + "00417F4100"
        + "2040413F01"
        + "7F08142241"
        + "7F40404040"
        + "7F020C027F"
        + "7F0408107F"
        + "3E4141413E"
        + "7F09090906"
        + "3E4151215E"
        + "7F09192946"
        + "4649494931"
        + "01017F0101"
        + "3F4040403F"
        + "1F2040201F"
        + "3F4038403F"
        + "6314081463"
        + "0708700807"
        + "6151494543"
        + "007F414100"
        + "0204081020"
        + "0041417F00"
        + "0402010204"
        + "4040404040"
        + "0001020400"
        + "2054545478"
        + "7F48444438"
        + "3844444420"
        + "384444487F"
        + "3854545418"
        + "087E090102"
        + "0C5252523E"
        + "7F08040478"
        + "00447D4000"
        + "2040443D00"
        + "7F10284400"
        + "00417F4000"
        + "7C04180478"
        + "7C08040478"
        + "3844444438"
        + "7C14141408"
        + "081414187C"
        + "7C08040408"
        + "4854545420"
        + "043F444020"
        + "3C4040207C"
        + "1C2040201C"
        + "3C4030403C"
        + "4428102844"
        + "0C5050503C"
        + "4464544C44"
        + "0008364100"
        + "00007F0000"
        + "0041360800"
        + "0808081008";

    /// <summary>[height,width] with 0 on the letters; a letter that the font lacks is a filled box.</summary>
    public static Tensor Draw(string text, int height, int width)
    {
        int scale = Math.Max(1, height / (12 * GlyphHeight)),
            columns = Math.Max(1, width / (GlyphWidth * scale)),
            next = 0;
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) + " ";
        float[] mask = new float[(long)height * width];
        Array.Fill(mask, 1f);
        for (int top = scale; top + 7 * scale <= height || top == scale; top += GlyphHeight * scale)
        {
            for (int c = 0; c < columns; c++)
                Stamp(mask, height, width, line[next++ % line.Length], top, c * GlyphWidth * scale, scale);
        }
        return torch.tensor(mask).reshape(height, width);
    }

    private static void Stamp(float[] mask, int height, int width, char letter, int top, int left, int scale)
    {
        for (int column = 0; column < 5; column++)
        {
            int dots = letter is >= ' ' and <= '~' ? Convert.ToInt32(Font.Substring((letter - ' ') * 10 + 2 * column, 2), 16) : 0x7F;
            for (int i = 0; i < 7 * scale * scale; i++)
            {
                (int row, int y, int x) = (i / (scale * scale), top + i / scale, left + column * scale + i % scale);
                if ((dots >> row & 1) == 1 && y < height && x < width)
                    mask[(long)y * width + x] = 0;
            }
        }
    }
}
