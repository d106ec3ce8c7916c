#include "tenon/tenon.h"
