using System.CommandLine;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn devices`</summary>
internal static class DevicesCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("devices", "List the devices that there are.");
        command.SetAction(_ =>
        {
            using Device device = Device.Cpu();
            context.Output.WriteLine($"cpu   {device.Description}");
            context.Output.WriteLine($"cuda  not available: {Devices.NoCuda}");
            return 0;
        });
        return command;
    }
}
