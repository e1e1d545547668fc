using Diffusion.HostProgram;

// HostProgram SCENARIO: says "as it should be", or what is not. HostProgram measure SIDE all|none|OPTION,...: what an option is worth.
try
{
    switch (args)
    {
        case ["untouched"]:
            Neighbours.NothingChangesUnasked();
            break;
        case ["torch-first"]:
            Neighbours.TorchWasUsedBefore();
            break;
        case ["threads"]:
            Neighbours.ThreadsAreTheHosts();
            break;
        case ["two-restorers"]:
            Finalizing.TwoRestorersAtOnce();
            break;
        case ["without-pause"]:
            Finalizing.OneRestorerWithoutPause();
            break;
        case ["measure", var side, var options]:
            Measuring.Run(int.Parse(side, System.Globalization.CultureInfo.InvariantCulture), options);
            return 0;
        default:
            Console.Error.WriteLine("Which scenario?");
            return 2;
    }
    Console.WriteLine("as it should be");
    return 0;
}
catch (WrongException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return 1;
}
