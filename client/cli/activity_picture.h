// The picture of `reluctl activity`: firing rates and drift as SVG.

#ifndef CLIENT_CLI_ACTIVITY_PICTURE_H_
#define CLIENT_CLI_ACTIVITY_PICTURE_H_

#include <string>

#include "client/activity.h"

namespace relu {

// A cell for each neuron: on the left its firing rate; on the right, if there
// is a calibration, by how many standard errors that moved in the last window.
// Below the inputs that moved most.
std::string ActivityPicture(const ActivityResult& result);

}  // namespace relu

#endif  // CLIENT_CLI_ACTIVITY_PICTURE_H_
